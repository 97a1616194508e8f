"""Reads entity tags of requests (RFC 9110, 8.8.3 and 13.1.1)."""

from django.utils.http import parse_etags

from argo.errors import FieldError, InvalidInput

IF_MATCH = "If-Match"


class PreconditionRequired(InvalidInput):
    """A call that changes something does not say which version of it it has seen (RFC 6585, 3)."""

    status = 428


def required_tags(if_match: str | None) -> list[str]:
    """Return the tags of an If-Match header, `*` among them if it is that.

    Raises PreconditionRequired without the header, and InvalidInput if it has no tag.
    """
    if if_match is None:
        message = "is missing: send the ETag of the outcome that you have read, or * to overwrite"
        raise PreconditionRequired([FieldError(IF_MATCH, message)])
    return tags_in(if_match, IF_MATCH)


def tags_in(text: str, field: str) -> list[str]:
    """Return the entity tags of a list, weak ones with their `W/`, or `*`.

    Raises InvalidInput, which names `field`, if there is none.
    """
    if tags := parse_etags(text):
        return tags
    message = 'must be an ETag with its quotes, as in "1a2b", a list of them, or *'
    raise InvalidInput([FieldError(field, message)])
