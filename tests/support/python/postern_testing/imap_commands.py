"""The commands behind the login, for the model of an IMAP server."""

import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .imap_connection import Connection
from .imap_mailbox import Mailbox, Removal, date, section_of
from .imap_words import Malformed, UidSet, Words, quoted, ranges

FLAGS = r"\Answered \Deleted \Draft \Flagged \Seen"


@dataclass
class Item:
    """What a FETCH asks of each message."""

    name: str
    section: str | None = None
    part: tuple[int, int] | None = None


class Conversation(Connection):
    # Mailboxes as a whole.

    def _mailbox_name(self, words: Words) -> str:
        words.expect(" ")
        name = words.string()
        return "INBOX" if name.upper() == "INBOX" else name

    def _select(self, words: Words) -> Iterator[str]:
        name = self._mailbox_name(words)
        words.end()
        self.state = "authenticated"
        if name not in self.mailboxes:
            return (yield from self._done("NO [NONEXISTENT] Mailbox doesn't exist"))
        self.state, self.selected = "selected", name
        self.known, self.version = self.box.uids(), self.box.version
        yield f"* FLAGS ({FLAGS})\r\n"
        star = r" \*" if self.box.keeps_keywords else ""
        yield f"* OK [PERMANENTFLAGS ({FLAGS}{star})] Flags permitted.\r\n"
        yield f"* {len(self.known)} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {self.box.uidvalidity}] UIDs valid\r\n"
        if self.store.select_sends_uidnext:
            yield f"* OK [UIDNEXT {self.box.uidnext}] Predicted next UID\r\n"
        if self.box.mailbox_id:
            yield f"* OK [MAILBOXID ({self.box.mailbox_id})] Ok\r\n"
        yield from self._done(f"OK [READ-{'ONLY' if self.box.read_only else 'WRITE'}] Select completed.")

    def _status(self, words: Words) -> Iterator[str]:
        name = self._mailbox_name(words)
        words.expect(" (")
        items = words.until(")").upper().split(" ")
        words.end()
        if name not in self.mailboxes:
            return (yield from self._done("NO [NONEXISTENT] Mailbox doesn't exist"))
        box = self.mailboxes[name]
        values = {"MESSAGES": len(box.uids()), "UIDNEXT": box.uidnext, "UIDVALIDITY": box.uidvalidity}
        yield f"* STATUS {quoted(name)} ({' '.join(f'{item} {values[item]}' for item in items)})\r\n"
        yield from self._done("OK Status completed.")

    def _list(self, words: Words) -> Iterator[str]:
        words.expect(" ")
        words.string()
        words.expect(" ")
        pattern = words.pattern()
        if words.take(" RETURN (SPECIAL-USE)") and not self._has("SPECIAL-USE"):
            return (yield from self._unknown())
        words.end()
        for name, box in self.mailboxes.items():
            if pattern in ("*", "%", name):
                use = f" {box.special_use}" if box.special_use else ""
                yield f'* LIST (\\HasNoChildren{use}) "/" {quoted(name)}\r\n'
        yield from self._done("OK List completed.")

    def _create(self, words: Words) -> Iterator[str]:
        name = self._mailbox_name(words)
        words.end()
        if name in self.mailboxes:
            return (yield from self._done("NO [ALREADYEXISTS] Mailbox already exists"))
        self.mailboxes[name] = Mailbox(uidvalidity=100 + len(self.mailboxes))
        yield from self._done("OK Create completed.")

    # In a mailbox.

    @property
    def box(self) -> Mailbox:
        return self.mailboxes[self.selected]

    def _news(self) -> Iterator[str]:
        """Tells what happened to the mailbox meanwhile."""
        if self.state != "selected" or self.version == self.box.version:
            return
        uids, self.version = self.box.uids(), self.box.version
        there = set(uids)
        for told, uid in enumerate([uid for uid in self.known if uid not in there]):
            yield f"* {bisect.bisect_left(self.known, uid) + 1 - told} EXPUNGE\r\n"
        if uids and (not self.known or uids[-1] > self.known[-1]):
            yield f"* {len(uids)} EXISTS\r\n"
        self.known = uids

    def _chosen(self, uids: UidSet) -> list[int]:
        """The messages of a set, as far as this session was told of them."""
        chosen: set[int] = set()
        for first, last in uids.resolved(self.known[-1] if self.known else 0):
            chosen.update(self.known[bisect.bisect_left(self.known, first) : bisect.bisect_right(self.known, last)])
        return sorted(chosen)

    def _exact_set(self, words: Words) -> UidSet:
        words.expect(" ")
        return words.uids()

    def _unselect(self, words: Words) -> Iterator[str]:
        words.end()
        if not self._has("UNSELECT"):
            return (yield from self._unknown())
        self.state = "authenticated"
        yield from self._done("OK Unselect completed.")

    def _uid_fetch(self, words: Words) -> Iterator[str]:
        words.expect(" ")
        uids = words.uids(star=True)
        words.expect(" ")
        items = self._items(words)
        words.end()
        known_items = {"EMAILID": self._has("OBJECTID"), "X-GM-MSGID": self._has("X-GM-EXT-1")}
        known_items["X-GUID"] = self.store.knows_guid
        if not all(known_items.get(item.name, True) for item in items):
            return (yield from self._unknown())
        if self.store.uid_last:
            items.sort(key=lambda item: item.name == "UID")
        gone = set(self.known).difference(self.box.uids()) if self.version != self.box.version else ()
        sizes_only = [item.name for item in items] == ["UID", "RFC822.SIZE"]  # a million times, perhaps
        number, known, size = 0, self.known, self.box.size
        for uid in self._chosen(uids):
            while known[number] != uid:
                number += 1
            if uid in gone:
                continue
            if sizes_only:
                yield f"* {number + 1} FETCH (UID {uid} RFC822.SIZE {size(uid)})\r\n"
            else:
                yield f"* {number + 1} FETCH ({' '.join(self._attribute(uid, item) for item in items)})\r\n"
        yield from self._news()
        yield from self._done("OK Fetch completed.")

    def _items(self, words: Words) -> list[Item]:
        if not words.take("("):
            return [self._item(words)]
        items = [self._item(words)]
        while words.take(" "):
            items.append(self._item(words))
        words.expect(")")
        return items

    @staticmethod
    def _item(words: Words) -> Item:
        name, bracket, section = words.keyword().partition("[")
        if not bracket:
            return Item(name)
        section = (section + words.until("]")).upper()
        if name != "BODY.PEEK":
            raise Malformed(f"{name} sets \\Seen")
        if not words.take("<"):
            return Item("BODY", section)
        origin = words.number()
        words.expect(".")
        part = (origin, words.number())
        words.expect(">")
        if not part[1]:
            raise Malformed("a part of no octets")
        return Item("BODY", section, part)

    def _attribute(self, uid: int, item: Item) -> str:
        if item.name == "UID":
            return f"UID {uid}"
        if item.name == "RFC822.SIZE":
            return f"RFC822.SIZE {self.box.size(uid)}"
        if item.name == "FLAGS":
            return f"FLAGS ({' '.join(sorted(self.box.flags(uid)))})"
        if item.name == "INTERNALDATE":
            return f'INTERNALDATE "{self.box.date(uid)} 12:00:00 +0000"'
        message = self.box.get(uid)
        if item.section is not None:
            return self._body(message.text, item)
        if item.name == "EMAILID":
            return f"EMAILID ({message.email_id})"
        if item.name == "X-GUID":
            return f"X-GUID {quoted(message.guid)}"
        if item.name == "X-GM-MSGID":
            return f"X-GM-MSGID {message.gm_msgid}"
        raise Malformed(f"FETCH of {item.name}")

    def _body(self, text: bytes, item: Item) -> str:
        name, octets = f"BODY[{item.section}]", section_of(text, item.section or "")
        if item.part and not self.store.whole_for_parts:
            name += f"<{item.part[0]}>"
            octets = octets[item.part[0] : sum(item.part)]
        return f"{name} {{{len(octets)}}}\r\n{octets.decode('latin-1')}"

    def _uid_search(self, words: Words) -> Iterator[str]:
        words.expect(" ")
        extended = words.take("RETURN (ALL) ")
        if extended and not self._has("ESEARCH"):
            return (yield from self._unknown())
        keys = [self._search_key(words)]
        while words.take(" "):
            keys.append(self._search_key(words))
        words.end()
        there = self.box.uids() if self.version == self.box.version else set(self.known) & set(self.box.uids())
        found = [uid for uid in sorted(there) if all(key(uid) for key in keys)]
        if extended:
            yield f"* ESEARCH (TAG {quoted(self.tag)}) UID{' ALL ' + ranges(found) if found else ''}\r\n"
        else:
            yield f"* SEARCH{''.join(f' {uid}' for uid in found)}\r\n"
        yield from self._news()
        yield from self._done("OK Search completed.")

    def _search_key(self, words: Words) -> Callable[[int], bool]:
        name, box = words.keyword(), self.box
        if name == "ALL":
            return lambda uid: True
        if name == "DELETED":
            return lambda uid: r"\Deleted" in box.flags(uid)
        if name not in ("NOT", "UID", "KEYWORD", "UNKEYWORD", "SINCE", "BEFORE"):
            raise Malformed(f"SEARCH of {name}")
        words.expect(" ")
        if name == "NOT":
            key = self._search_key(words)
            return lambda uid: not key(uid)
        if name == "UID":
            uids = UidSet(words.uids(star=True).resolved(self.known[-1] if self.known else 0))
            return lambda uid: uid in uids
        if name in ("KEYWORD", "UNKEYWORD"):
            flag = words.atom()
            return lambda uid: (flag in box.flags(uid)) == (name == "KEYWORD")
        day = date(words.string())
        return lambda uid: (date(box.date(uid)) >= day) == (name == "SINCE")

    def _uid_store(self, words: Words) -> Iterator[str]:
        uids = self._exact_set(words)
        words.expect(" ")
        action = words.keyword()
        words.expect(" ")
        flags = {flag for flag in words.flags() if flag.startswith("\\") or self.box.keeps_keywords}
        words.end()
        if action not in ("+FLAGS.SILENT", "-FLAGS.SILENT"):
            raise Malformed(f"UID STORE {action}")
        if self.box.read_only:
            return (yield from self._done("NO Mailbox is read-only"))
        for uid in self._chosen(uids):
            message = self.box.get(uid)
            if message:
                message.flags = message.flags | flags if action[0] == "+" else message.flags - flags
        yield from self._news()
        yield from self._done("OK Store completed.")

    def _expunge(self, words: Words) -> Iterator[str]:
        words.end()
        if self._has("UIDPLUS"):
            raise Malformed("EXPUNGE where there is UID EXPUNGE")
        return self._expunge_those(self.box.uids())

    def _uid_expunge(self, words: Words) -> Iterator[str]:
        uids = self._exact_set(words)
        words.end()
        return self._expunge_those(self._chosen(uids)) if self._has("UIDPLUS") else self._unknown()

    def _expunge_those(self, uids: list[int]) -> Iterator[str]:
        if self.box.read_only:
            return (yield from self._done("NO Mailbox is read-only"))
        self._remove([uid for uid in uids if r"\Deleted" in self.box.flags(uid)])
        yield from self._news()
        yield from self._done("OK Expunge completed.")

    def _remove(self, uids: list[int]) -> None:
        for uid in uids:
            self.box.remove(uid)
            self.store.removals.append(Removal(self.selected, uid, self.text))

    def _uid_copy(self, words: Words) -> Iterator[str]:
        return self._transfer(words, moves=False)

    def _uid_move(self, words: Words) -> Iterator[str]:
        return self._transfer(words, moves=True) if self._has("MOVE") else self._unknown()

    def _transfer(self, words: Words, moves: bool) -> Iterator[str]:
        uids = self._exact_set(words)
        name = self._mailbox_name(words)
        words.end()
        if moves and self.box.read_only:
            return (yield from self._done("NO Mailbox is read-only"))
        if name not in self.mailboxes:
            return (yield from self._done("NO [TRYCREATE] Mailbox doesn't exist"))
        chosen = [uid for uid in self._chosen(uids) if self.box.get(uid)]
        target = self.mailboxes[name]
        copies = [target.add(replace(self.box.get(uid), flags=set(self.box.flags(uid)))) for uid in chosen]
        code = f"[COPYUID {target.uidvalidity} {ranges(chosen)} {ranges(copies)}] " if chosen else ""
        if moves:
            yield f"* OK {code}Moved UIDs.\r\n"
            self._remove(chosen)
        yield from self._news()
        yield from self._done("OK Move completed." if moves else f"OK {code}Copy completed.")
