"""A headless Chromium, spoken to by its own pipe (file descriptors 3 and 4, one JSON message and a NUL each): no ports, no driver."""
import base64
import json
import os
import shutil
import subprocess
import tempfile

# runs in the page: what sticks out of the window, what cannot be read, what has no name
LOOK = """(() => {
  const width = document.documentElement.clientWidth, out = [];
  const shown = e => { const s = getComputedStyle(e), r = e.getBoundingClientRect();
    return s.visibility !== 'hidden' && s.display !== 'none' && r.width > 0 && r.height > 0; };
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e) || e.closest('.scroll') && !e.matches('.scroll')) continue;
    const r = e.getBoundingClientRect();
    if (r.right > width + 1 && r.left < width + 400) out.push('sticks out: ' + e.outerHTML.slice(0, 120) + ' ' + r.right);
    if (r.left < -1 && r.right > 0) out.push('cut on the left: ' + e.outerHTML.slice(0, 120));
  }
  const lum = c => { const v = c.map(x => { x /= 255; return x <= .03928 ? x / 12.92 : Math.pow((x + .055) / 1.055, 2.4); });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const rgb = t => (t.match(/[\\d.]+/g) || []).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return rgb(getComputedStyle(document.body).backgroundColor); };
  for (const e of document.querySelectorAll('body *')) {
    if (!shown(e) || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    if (['TITLE', 'STYLE', 'OPTION'].includes(e.tagName.toUpperCase())) continue;
    const s = getComputedStyle(e), a = lum(rgb(e.closest('svg') ? s.fill : s.color)), b = lum(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) out.push('contrast ' + ratio.toFixed(2) + ': ' + e.outerHTML.slice(0, 120));
    if (parseFloat(s.fontSize) < 12) out.push('small letters: ' + e.outerHTML.slice(0, 120));
  }
  for (const svg of document.querySelectorAll('svg')) {
    const boxes = [...svg.querySelectorAll('text')].filter(shown).map(e => [e.getBoundingClientRect(), e.textContent]);
    boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
      if (a.left < b.right && b.left < a.right && a.top + 2 < b.bottom && b.top + 2 < a.bottom) out.push('words on words: ' + x + ' ' + y); }));
  }
  for (const e of document.querySelectorAll('input, select')) if (!e.labels.length) out.push('no label: ' + e.outerHTML);
  for (const e of document.querySelectorAll('svg')) if (!e.getAttribute('aria-label') && e.getAttribute('aria-hidden') !== 'true')
    out.push('no name: ' + e.outerHTML.slice(0, 120));
  for (const e of document.querySelectorAll('a[href], button')) if (!e.textContent.trim()) out.push('no words: ' + e.outerHTML);
  if (document.scripts.length) out.push('a script');
  return {overflow: document.documentElement.scrollWidth - width, wrong: out, title: document.title,
    lang: document.documentElement.lang, text: document.body.innerText};
})()"""


# what a keyboard must reach, and where it is now
REACHABLE = """[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
  .filter(e => !e.disabled && e.checkVisibility()).map((e, i) => { e.dataset.stop = i; return e.outerHTML.slice(0, 100); })"""
FOCUS = """new Promise(r => requestAnimationFrame(() => r())).then(() => { const e = document.activeElement, s = getComputedStyle(e), r = e.getBoundingClientRect();
  return {stop: e.dataset.stop === undefined ? -1 : +e.dataset.stop, html: e.outerHTML.slice(0, 100),
    shown: e === document.body || (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && r.right > 0 && r.bottom > 0 &&
      r.left < innerWidth && r.top < innerHeight)}; })"""


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="chiso-browser-")
        theirs_in, self.output = os.pipe()
        self.input, theirs_out = os.pipe()

        def as_three_and_four():
            a, b = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        program = shutil.which("chromium") or "/usr/bin/chromium"
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--hide-scrollbars",
             "--no-first-run", "--disable-background-networking", "--force-color-profile=srgb", "--user-data-dir=" + self.profile,
             "--remote-debugging-pipe", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, preexec_fn=as_three_and_four)
        os.close(theirs_in)
        os.close(theirs_out)
        self.number, self.buffer, self.events = 0, b"", []
        targets = self.call("Target.getTargets")["targetInfos"]
        target = next(t["targetId"] for t in targets if t["type"] == "page")
        self.session = None
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.input)
        os.close(self.output)
        shutil.rmtree(self.profile, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.buffer:
            data = os.read(self.input, 1 << 16)
            assert data, "the browser has ended"
            self.buffer += data
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if getattr(self, "session", None):
            message["sessionId"] = self.session
        os.write(self.output, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def open(self, url, width, height=900, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media="screen", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.receive())

    def look(self):
        return self.evaluate(LOOK)

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"]["value"]

    def press(self, key, code):
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def walk(self):
        """Through the page by the tabulator key: every control once, in the order of the page, each seen to have the focus. What is wrong."""
        stops, wrong, last = self.evaluate(REACHABLE), [], -1
        self.call("Page.bringToFront")
        for _ in range(5 * len(stops) + 5):  # a date has stops inside
            self.press("Tab", 9)
            now = self.evaluate(FOCUS)
            if not now["shown"]:
                wrong.append("no visible focus: " + now["html"])
            if now["stop"] not in (last, last + 1):
                break
            last = now["stop"]
        if last + 1 != len(stops):
            wrong.append("the keyboard does not reach: " + stops[last + 1])
        return wrong

    def picture(self, path):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def paper(self):
        """From now on the page is laid out as for a printer, A4 upright within its margins; whoever likes it dark prints it, too."""
        self.call("Emulation.setDeviceMetricsOverride", width=688, height=1000, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        return self.look()

    def pdf(self):
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"])
