"""A mark as an XMP packet (ISO 16684-1), written as text and read with a parser that knows no entities."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from zerosum.provenance.found import Found
from zerosum.provenance.origin import Origin

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
OWN = "urn:x-zerosum:provenance:1:"
"""The namespace of an origin's fields: a name, not an address."""
DEEPEST = 64
_ILLEGAL = re.compile("[^\t\n\r\x20-\ufffd\U00010000-\U0010ffff]")


def write(origin: Origin) -> bytes:
    """The packet: IPTC's digital source type and AI system (Photo Metadata 2025.1), XMP's creator tool, the origin's fields."""
    told = {
        "Iptc4xmpExt:DigitalSourceType": origin.source_type,
        "Iptc4xmpExt:AISystemUsed": f"zerosum {origin.recipe}".strip(),
        "Iptc4xmpExt:AISystemVersionUsed": " ".join(part for part in (origin.version, origin.run) if part),
        "xmp:CreatorTool": origin.tool,
    } | {f"zerosum:{name}": str(value) for name, value in origin.to_plain().items()}
    lines = "\n".join(f"   {name}={quoteattr(_legal(value))}" for name, value in told.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f' <rdf:RDF xmlns:rdf="{RDF}">\n'
        f'  <rdf:Description rdf:about="" xmlns:xmp="{XMP}" xmlns:Iptc4xmpExt="{IPTC}" xmlns:zerosum="{OWN}"\n'
        f"{lines}/>\n"
        " </rdf:RDF>\n"
        "</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode()


def _legal(text: str) -> str:
    """Without what XML cannot hold at all."""
    return _ILLEGAL.sub(" ", text).encode("utf-8", "replace").decode()


def read(data: bytes) -> Found:
    """What a packet says, whoever wrote it; Found() where it says nothing of this. Raises ValueError where it is broken."""
    told = properties(data)
    own = {name.removeprefix(OWN): value for name, value in told.items() if name.startswith(OWN)}
    return Found(
        told.get(IPTC + "DigitalSourceType", ""), told.get(XMP + "CreatorTool", ""), Origin.from_plain(own) if own else None
    )


def properties(data: bytes) -> dict[str, str]:
    """Simple properties of a packet, as {namespace + name: text}.

    Raises ValueError for anything but well-formed XML, and for a document type, which is where entities come from.
    """
    parser = expat.ParserCreate(namespace_separator="\n")
    parser.buffer_text = True
    found: dict[str, str] = {}
    path: list[str] = []
    text: list[str] = []

    def refuse(*_: Any) -> None:
        raise ValueError("XML with a document type: not read")

    def begin(name: str, attributes: dict[str, str]) -> None:
        path.append(name.replace("\n", ""))
        text.clear()
        if len(path) > DEEPEST:
            raise ValueError("XML nested too deeply: not read")
        if path[-1] == RDF + "Description":
            found.update({key.replace("\n", ""): value for key, value in attributes.items()})
        elif path[-2:-1] == [RDF + "Description"] and (address := attributes.get(f"{RDF}\nresource")):
            found[path[-1]] = address

    def end(_: str) -> None:
        if path[-2:-1] == [RDF + "Description"] and (said := "".join(text).strip()):
            found[path[-1]] = said
        path.pop()
        text.clear()

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, text.append
    try:
        parser.Parse(data.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, LookupError) as error:  # the latter: an encoding that there is not
        raise ValueError(f"broken XMP: {error}") from error
    return found
