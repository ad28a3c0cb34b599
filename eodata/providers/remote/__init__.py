"""Files on other machines: bytes are fetched here, many at once; GDAL only decodes them.

addresses    what of a URL may be shown
failures     what went wrong, by class: whether waiting helps, and for how long
loop         the thread in which requests wait
gate         how many requests of an endpoint may be under way, and when none may
tokens       tokens that open files for a while
http         ranges of files over HTTP
object_store ranges of files with s3:// addresses
transport    one endpoint: address, token, gate, attempts
ranges       which ranges are fetched together
remote_file  a file whose bytes come by ranges, as GDAL reads it
"""
