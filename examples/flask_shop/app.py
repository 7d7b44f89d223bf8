"""A small shop on Flask, written as many are: server-rendered forms, Flask's own signed-cookie session.

It knows nothing of authconform. Start it with ``python app.py PORT``; judge it with the profile beside it.
"""

from __future__ import annotations

import secrets
import sqlite3
import sys
from functools import wraps

from flask import Flask, abort, g, redirect, render_template_string, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
app.config["SESSION_COOKIE_NAME"] = "shopkeeper"

PAGE = """<!doctype html><title>{{ title }}</title><h1>{{ title }}</h1>
{% if error %}<p role="alert">{{ error }}</p>{% endif %}
{% block body %}{{ body|safe }}{% endblock %}"""

LOGIN_FORM = """<form method="post"><input type="hidden" name="_csrf" value="%s">
<label>E-mail <input name="email" type="email"></label>
<label>Password <input name="pass" type="password"></label><button>Sign in</button></form>"""

database = sqlite3.connect(":memory:", check_same_thread=False)
database.executescript(
    "create table customers (id integer primary key, email text unique, hash text);"
    "create table orders (id integer primary key, customer integer, article text);"
)
for email, password in (("ada@shop.example", "Lovelace-1815"), ("grace@shop.example", "Hopper-1906!")):
    database.execute(
        "insert into customers (email, hash) values (?, ?)",
        (email, generate_password_hash(password, "pbkdf2:sha256:1000")),
    )


def csrf_token() -> str:
    return session.setdefault("csrf", secrets.token_urlsafe(24))


@app.before_request
def refuse_forgeries() -> None:
    if request.method == "POST" and not secrets.compare_digest(request.form.get("_csrf", ""), session.get("csrf", "-")):
        abort(400, "The form has expired. Go back and try again.")


def customers_only(view):
    @wraps(view)
    def guarded(*args, **kwargs):
        row = database.execute("select id, email from customers where id = ?", (session.get("customer"),)).fetchone()
        if row is None:
            return redirect(url_for("sign_in", back=request.path))
        g.customer, g.email = row
        return view(*args, **kwargs)

    return guarded


@app.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    error = None
    if request.method == "POST":
        row = database.execute(
            "select id, hash from customers where email = ?", (request.form.get("email", ""),)
        ).fetchone()
        if row and check_password_hash(row[1], request.form.get("pass", "")):
            session.clear()
            session["customer"] = row[0]
            return redirect(url_for("account"), code=303)
        error = "E-mail or password is wrong."
    return render_template_string(PAGE, title="Sign in", error=error, body=LOGIN_FORM % csrf_token())


@app.get("/account")
@customers_only
def account():
    orders = database.execute("select article from orders where customer = ?", (g.customer,)).fetchall()
    items = "".join(f"<li>{order[0]}</li>" for order in orders if order[0].replace("-", "").isalnum())
    form = f'<form method="post" action="/orders"><input type="hidden" name="_csrf" value="{csrf_token()}"><input name="article"><button>Order</button></form>'
    return render_template_string(
        PAGE, title="Your account", body=f"<p>Signed in as {g.email}</p><ul>{items}</ul>{form}"
    )


@app.post("/orders")
@customers_only
def order():
    database.execute(
        "insert into orders (customer, article) values (?, ?)", (g.customer, request.form.get("article", ""))
    )
    return redirect(url_for("account"), code=303)


@app.post("/sign-out")
def sign_out():
    session.clear()
    return redirect(url_for("sign_in"), code=303)


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000)
