"""A relying party on Flask and Authlib, to sign in to the mock provider with: see README.md."""

import os
import secrets

from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for
from markupsafe import escape

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:9000/acme")

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
oauth = OAuth(app)
oauth.register(
    "idp",
    client_id="authlib-login",
    client_secret="any-secret-will-do",
    server_metadata_url=f"{ISSUER}/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
)


@app.get("/")
def home():
    if "user" in session:
        return f"<h1>Signed in as {escape(session['user'])}</h1><form method=post action=/logout><button>Sign out</button></form>"
    return "<h1>Nobody is signed in</h1><a href=/login>Sign in</a>"


@app.get("/login")
def login():
    return oauth.idp.authorize_redirect(url_for("callback", _external=True))


@app.get("/callback")
def callback():
    token = oauth.idp.authorize_access_token()
    session.clear()
    session["user"] = token["userinfo"]["sub"]
    return redirect("/", 303)


@app.post("/logout")
def logout():
    session.clear()
    return redirect("/", 303)


@app.errorhandler(OAuthError)
def refused(error):
    return f"<h1>Not signed in</h1><p>{escape(error.error)}</p><a href=/>Back</a>", 400


@app.errorhandler(Exception)
def failed(error):
    app.logger.warning("login failed: %s", type(error).__name__)
    return f"<h1>Not signed in</h1><p>{escape(type(error).__name__)}</p><a href=/>Back</a>", 400
