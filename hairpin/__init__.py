"""The application: the command line, the daemons, the web page.

``hairpin --help`` lists what it does. It joins the layers: ``session`` connects
signaling with peer connections, ``web`` serves the page, ``commands`` has one file
per subcommand.
"""
