"""Has a browser load a page over HTTP/3, and reads in its log how the page came."""
