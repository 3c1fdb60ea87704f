"""What secrets and personal data look like inside a text."""

from __future__ import annotations

import re

__all__ = ["CONTROL", "HARMLESS", "replace_shapes"]

HARMLESS = re.compile(
    r"""
      (?! .* (?: ory | whsec | fankeep_sk )_ ) [a-z0-9-]{1,36} (?: [._] [a-z0-9-]{1,36} ){0,5}
    | [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z
    """,
    re.VERBOSE,
)
"""Lower-case words and uuids, joined or not, and times: most of what is logged, none of it a shape below."""

CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Characters that end a line, move the cursor, hide, or turn the direction of a text (ASVS 5.0.0 16.4.1)."""

_SHAPES = re.compile(
    r"""
    # an Authorization header
      (?P<scheme> \b (?: bearer | basic | dpop | digest ) \s+ ) [^\s,;"']+

    # all of a Cookie or Authorization header
    | (?P<header> (?: cookies? | authorization ) ["']? \s* [:=] \s* ) [^\r\n]+

    # code=..., state%3D..., "client_secret": "..."
    | (?P<parameter>
        (?: (?<! [a-z0-9] ) | (?<= %[0-9a-f]{2} ) )
        (?: [a-z]{2,12} [_-] ){0,2}
        (?: code | state | verifier | secret | token | nonce | assertion | password | passwd | challenge | iss
          | apikey | key | signature )
        (?: \s* = \s* | %3D | [\\"']* \s* : \s* )
      )
      (?: \\* " (?: [^"\\] | \\[\s\S] )* "? | \\* ' (?: [^'\\] | \\[\s\S] )* '? | [^\s&;,"'}]+ )

    # an address: its path may stay
    | (?P<url> [a-z][a-z0-9+.-]{1,20}:// )
      (?: [^\s/?\#@]* @ )? (?P<place> [^\s?\#"'<>]* ) (?P<query> [?\#][^\s"'<>]* )?

    # JWS and JWE; Ory Hydra's tokens; webhook secrets; service keys; a webhook signature; keys, digests,
    # client secrets
    | eyJ [a-z0-9_-]{4,} (?: \. [a-z0-9_-]* )+
    | ory_ [a-z]{2} _ [^\s&;,"'}]+
    | whsec_ [^\s&;,"'}]+
    | fankeep_sk_ [^\s&;,"'}]+
    | t= [0-9]{1,12} \s* , \s* v[0-9]= [^\s&;"'}]+
    | [0-9a-f]{48,}

    # one of our cookies; an e-mail address; a run that may be a token or only a long path
    | __ (?: Host | Secure ) - [^\s=;]* =? [^\s;]*
    | [^\s@"'<>,;:=(){}\[\]/]{1,64} (?: @ | %40 ) [\w-]+ (?: \. [\w-]+ )+
    | (?P<run> [a-z0-9_+/~-]{40,} ={0,2} )
    """,
    re.IGNORECASE | re.VERBOSE,
)

_SEPARATORS = re.compile(r"[_+/~-]")


def replace_shapes(text: str, replacement: str) -> str:
    """Replace everything in the text that looks like a secret, a callback parameter or an e-mail address."""

    def replaced(match: re.Match[str]) -> str:
        if match["url"] is not None:
            query = match["query"][0] + replacement if match["query"] else ""
            return match["url"] + replace_shapes(match["place"], replacement) + query
        if match["run"] is not None:
            return replacement if _looks_random(match["run"]) else match["run"]
        return (match["scheme"] or match["header"] or match["parameter"] or "") + replacement

    return _SHAPES.sub(replaced, text)


def _looks_random(run: str) -> bool:
    """A long path or a joined name is in lower case and has short parts; a random value is not like that."""
    return run != run.lower() or max(map(len, _SEPARATORS.split(run))) >= 40
