"""Loopback servers that speak as archives do: a STAC API and Cloud Optimized GeoTIFFs, with faults.

    asgi        the words that all of it shares: scope, receive, send
    tiff_tags   the tags of a TIFF file: read, write
    tile_cache  byte strings that are made once
    stored      compression of known length, with a checksum
    cog_layout  everything of a GeoTIFF but its pixels
    cog         GeoTIFFs whose bytes are computed when somebody asks for them
    assets      their endpoint: GET, HEAD, ranges
    faults      which faults are wanted, and which request they meet
    injector    what a fault does to a request
    tamper      answers cut short or wrong, connections cut off
    log         what was asked and what was answered
    server      a server in a thread, and one for the command line
    process     a server in a process of its own, for clients such as GDAL

Importing this package is cheap and needs no web framework; its modules ask for what they need.
"""
