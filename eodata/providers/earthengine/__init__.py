"""Google Earth Engine through its own client: images are listed, pixels asked on their own grid.

access      which credentials and which project this machine has
session     the client, opened once per process
link        requests and answers over HTTP
refusals    what went wrong, by class
governor    how many requests are under way, and when one is made again
images      from an image's metadata to an item
search      from a question to images
graph       the expression of a request
pixels      which requests a window takes
fetch       from requests to arrays
compose     composites that the server makes
provider    the provider
"""
