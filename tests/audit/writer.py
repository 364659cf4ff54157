"""A process that appends entries: `writer.py URL NAME COUNT`."""

import sys

from chaingraph import Action, Actor, AuditLog, Entry
from chaingraph.store import open_store

if __name__ == "__main__":
    url, name, count = sys.argv[1:]
    store = open_store(url)
    log = AuditLog(store)
    for number in range(int(count)):
        log.write([Entry.of(Action.READ, Actor(name), what={"turn": str(number)})])
    store.close()
