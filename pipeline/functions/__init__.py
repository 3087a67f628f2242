"""Functions of the user, named as `module:function` on the command line."""
