"""Reading blocks of Sentinel-2 over HTTP: eodata against odc-stac, GDAL, async-tiff and the line.

Usage: python -m benchmarks.stac_read [--blocks 16] [--latency 0 20 80] [--tiles stored|deflate]
       [--cases odc odc-best eodata gdal async-tiff] [--sweep]

Every case reads the same blocks of 2048 x 2048 px, ten bands on a grid of 10 m, from the sandbox's
server, which runs in a process of its own, adds latency to each answer and lets 200 Mbit/s pass,
all connections together. Each case is a process of its own. The bound is what the line alone would
take: the tiles that the blocks touch over the bandwidth, and one round trip.
"""
