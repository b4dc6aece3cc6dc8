"""Real MySQL and DynamoDB Local on this machine, without Docker, without root, without Java.

    packages  the host's apt configuration -> one archive; a private apt tree that unpacks packages from it
    maven     dynamodb.lock -> verified jars
    process   one child process: start, tether, pause, kill, stop
    mysql     start_mysql(folder)
    dynamodb  start_dynamodb(folder)
    chromium  find_chromium(), for the tests of the page
    run       what `make run` does
    environment  what `make env` does; standard library only, for it runs before anything is installed

Programs land in `.local/programs` of the checkout and are shared by all servers; each server keeps its data, log and
socket in a folder of its own. Nothing outside the two is written.
"""
