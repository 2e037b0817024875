"""Media between two processes over loopback, hairpin's and aiortc's (``pip install aiortc``)."""
