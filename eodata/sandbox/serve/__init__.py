"""Loopback servers that speak as archives do: a STAC API and Cloud Optimized GeoTIFFs, with faults.

The files:

    asgi        the words that all of it shares: scope, receive, send
    tiff_tags   the tags of a TIFF file: read, write
    tile_cache  byte strings that are made once
    stored      compression of known length, with a checksum
    cog_layout  everything of a GeoTIFF but its pixels
    cog         GeoTIFFs whose bytes are computed when somebody asks for them
    assets      their endpoint: GET, HEAD, ranges

The API:

    stac_item   what every shape of an item is made from
    flavours    the shapes of the imitated archives
    listing     items of several collections in one order
    filtering   CQL2
    fields      include and exclude
    paging      tokens that hold a place in the listing
    asking      what a search asks for
    refusals    how a request is refused
    client      the archive behind the web framework
    extensions  which parts of STAC API it has
    signing     tokens that expire
    api         the application

The server:

    faults      which faults are wanted, and which request they meet
    injector    what a fault does to a request
    tamper      answers cut short or wrong, connections cut off
    log         what was asked and what was answered
    server      a server in a thread, and one for the command line
    process     a server in a process of its own, for clients such as GDAL
    assembly    all of it on one port
    needs       which packages it takes

Importing this package is cheap and needs no web framework; its modules ask for what they need.
"""
