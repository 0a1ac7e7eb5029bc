"""From a request to the documents that govern it: routes, and the index of them.

`index` finds, at a cost that does not grow with the documents that do not govern; `editing` changes an index without
changing what requests look at; `covering` compares routes.
"""
