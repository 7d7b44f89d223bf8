"""The end of a session: started by a client, told to all others behind the browser's back or through it."""

from mock_idp.protocol.logout.back_channel import LOGOUT_TOKEN, LogoutToken, send_logout
from mock_idp.protocol.logout.end_session import END_SESSION, SIGN_OUT, EndSession, refuse

__all__ = ["END_SESSION", "LOGOUT_TOKEN", "SIGN_OUT", "EndSession", "LogoutToken", "refuse", "send_logout"]
