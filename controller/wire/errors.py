"""The two exceptions of the wire: ours and theirs."""


class LocalError(ValueError):
    """We tried to encode something that must never be on the wire (a defect of the caller)."""


class RemoteError(ValueError):
    """The far end sent something that its protocol does not allow."""
