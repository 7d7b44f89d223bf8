// Goes on when every application was told, or after three seconds. Without it, the page's refresh or link does.
const link = document.querySelector("a[data-onward]");
const frames = [...document.querySelectorAll("iframe")];
const loads = frames.map((frame) => new Promise((done) => frame.addEventListener("load", done)));
const patience = new Promise((done) => setTimeout(done, 3000));
if (link) Promise.race([Promise.all(loads), patience]).then(() => location.replace(link.href));
