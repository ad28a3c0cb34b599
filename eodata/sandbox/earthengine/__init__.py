"""A simulated Earth Engine: the REST methods that the official Python client calls, offline.

The catalogue:

    images      the types that all of it shares
    catalogue   asset ids over the sandbox's archive
    shelves     what every collection of the catalogue has
    sentinel2   images of Sentinel-2 and of its two cloud products
    sentinel1   images of Sentinel-1
    mosaics     maps: land cover, night lights, human modification, elevation
    derived     bands that Earth Engine has and the sandbox's archive has not

The methods:

    grids       grids and types of pixels as JSON
    assets      images and collections as JSON
    filters     the filter language of listings
    listing     pages of a collection
    pixels      `getPixels` and `computePixels`
    together    bands of one image, made together
    encoding    NPY and GeoTIFF
    limits      what one request may ask for
    errors      how a request is refused
    faults      requests that are refused on purpose
    vendored    the discovery document and the list of algorithms
    app         the application
    server      on a port of its own, in a process of its own

The expressions:

    graph       what is evaluated, by `evaluate` and `render`; its modules stand at its top
    sampling    a band on any grid of pixels
"""
