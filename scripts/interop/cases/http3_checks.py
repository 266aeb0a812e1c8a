"""Criteria of HTTP/3 (RFC 9114), for whatever is transferred over it."""

from __future__ import annotations

from collections import Counter

from capture import http3, tls
from capture.headers import Kind
from capture.streams import Conversation, Stream, conversations
from cases.checks import check_transfer, check_versions, same_content
from cases.evidence import Evidence, require


def check_application_protocol(evidence: Evidence) -> None:
    """For every case: what the server chose, and for HTTP/3 that both sides began as it wants."""
    chosen = {
        tls.application_protocol(extensions[tls.APPLICATION_PROTOCOLS])
        for crypto in evidence.client.crypto(Kind.HANDSHAKE, from_server=True).values()
        for message in crypto.messages()
        if message.kind == tls.ENCRYPTED_EXTENSIONS
        and tls.APPLICATION_PROTOCOLS in (extensions := tls.encrypted_extensions(message.body))
    }
    wanted = evidence.protocol
    require(chosen == {wanted}, f"the server chose the protocols {sorted(chosen)}, not {wanted}")
    if wanted == "h3":
        check_control_streams("client", conversations(evidence.client, from_server=False))
        check_control_streams("server", conversations(evidence.server, from_server=True))


def check_control_streams(side: str, found: list[Conversation]) -> None:
    # A server that lost the race of connections, or a probe of the harness, has no streams.
    talking = [conversation for conversation in found if conversation.streams]
    require(bool(talking), f"no stream data of the {side} could be decrypted")
    for conversation in talking:
        control = [stream for stream in conversation.one_way() if http3.is_control_stream(stream.data())]
        require(
            len(control) == 1, f"the {side} opened {len(control)} control streams that begin with SETTINGS"
        )


def check_http3(evidence: Evidence) -> None:
    """The runner's case: one connection, whose messages hold the files."""
    check_transfer(evidence)
    check_responses(evidence)


def check_responses(evidence: Evidence) -> None:
    requests = messages(evidence, from_server=False)
    count = len(evidence.file_names)
    require(len(requests) == count, f"{len(requests)} requests for {count} files")
    sizes = Counter(len(http3.content(stream.data())) for stream in messages(evidence, from_server=True))
    expected = Counter((evidence.www / name).stat().st_size for name in evidence.file_names)
    require(
        sizes == expected, f"responses of {sorted(sizes.elements())} bytes, not {sorted(expected.elements())}"
    )


def messages(evidence: Evidence, *, from_server: bool) -> list[Stream]:
    """The streams of requests, or of responses; each must be whole, and start with HEADERS."""
    trace, side = (evidence.server, "response") if from_server else (evidence.client, "request")
    found = [
        stream
        for conversation in conversations(trace, from_server=from_server)
        for stream in conversation.requests()
    ]
    for stream in found:
        where = f"the {side} on stream {stream.identifier}"
        require(stream.is_whole(), f"{where} did not end")
        require(http3.has_header_section(stream.data()), f"{where} does not begin with HEADERS")
    return found


def check_uploads(evidence: Evidence) -> None:
    """What the client sent must be the files, and what came back, too."""
    check_versions(evidence)
    sent = Counter(http3.content(stream.data()) for stream in messages(evidence, from_server=False))
    expected = Counter((evidence.www / name).read_bytes() for name in evidence.file_names)
    sizes = sorted(map(len, sent.elements()))
    require(sent == expected, f"the requests held {sizes} bytes, not {sorted(map(len, expected.elements()))}")
    for name in evidence.file_names:
        echo = evidence.downloads / name
        require(echo.exists(), f"no response to the upload of {name}")
        require(same_content(evidence.www / name, echo), f"the response to {name} differs from what was sent")
