// Sends the form of a form_post response. Without it, a button does.
HTMLFormElement.prototype.submit.call(document.forms[0]);
