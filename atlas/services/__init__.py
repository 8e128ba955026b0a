"""The machinery below the application: the embedded Postgres and Redis, and the supervisor of every process.

Nothing here knows an app of ours; what is started is given as argument lists.
"""
