"""How notebook kernels of a run are reached."""


def use_private_sockets() -> None:
    """Let kernels that this process starts listen on sockets in the user's own folder.

    By default they open TCP ports that every user of the machine can reach, unencrypted.
    """
    from jupyter_client.connect import ConnectionFileMixin

    ConnectionFileMixin.transport.default_value = "ipc"
