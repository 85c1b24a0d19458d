"""Agreement, on pages whose truth is known."""
