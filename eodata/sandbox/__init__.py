"""A simulated Earth whose truth is known, and the servers that expose it as archives do.

    planet      what is there: land and sea, relief, cover, seasons
    weather     what is in the way: clouds, shadows, haze
    orbits      when it is seen, and from where
    sensors     what an instrument makes of it: numbers on the instrument's own grid
    archive     the collections of all sensors behind one search and one read
    serve       loopback servers: STAC API and GeoTIFFs, with faults

Every pixel is a function of (seed, place, time): no order of requests, no size of a window and no
grid changes the world. Only the provider `sandbox` and the command line import this package.
"""
