// Keeps the page up to date without loading it again. Without this script every form still works.
'use strict';
(() => {
  const body = document.body;

  // Makes `now` look like `then`, touching only what differs: focus, scrolling and selections stay.
  const morph = (now, then) => {
    if (now.isEqualNode(then)) return;
    if (now.nodeName !== then.nodeName || now.nodeType !== Node.ELEMENT_NODE) return now.replaceWith(then);
    for (const { name } of [...now.attributes])
      if (!then.hasAttribute(name) && name !== 'open' && name !== 'aria-busy') now.removeAttribute(name);
    for (const { name, value } of then.attributes)
      if (now.getAttribute(name) !== value) now.setAttribute(name, value);
    const keyed = new Map([...now.children].filter(c => c.dataset.key).map(c => [c.dataset.key, c]));
    const wanted = new Set([...then.children].map(c => c.dataset.key));
    for (const [key, child] of keyed) if (!wanted.has(key)) child.remove();
    let at = now.firstChild;
    for (const child of [...then.childNodes]) {
      const same = child.dataset?.key ? keyed.get(child.dataset.key) : at?.dataset?.key ? null : at;
      if (!same) { now.insertBefore(child, at); continue; }
      if (same !== at) now.insertBefore(same, at);
      at = same.nextSibling;
      morph(same, child);
    }
    while (at) { const next = at.nextSibling; at.remove(); at = next; }
  };

  const draw = parts => {
    for (const part of parts) {
      const now = part.id && document.getElementById(part.id);
      if (now) morph(now, part);
    }
  };

  const say = text => { document.getElementById('message').textContent = text; };

  const mark = stream => {
    body.dataset.stream = stream;
    document.getElementById('lost').textContent =
      stream === 'lost' ? 'live view disconnected, reconnecting…' : '';
  };

  // The live view: the server sends the parts that changed. EventSource reconnects by itself, except after
  // an answer that is no stream.
  const watch = () => {
    const source = new EventSource(body.dataset.events);
    source.onopen = () => mark('live');
    source.onerror = () => {
      mark('lost');
      if (source.readyState === EventSource.CLOSED) setTimeout(watch, 3000);
    };
    source.onmessage = event => {
      const parts = document.createElement('template');
      parts.innerHTML = event.data;
      draw([...parts.content.children]);
    };
  };
  if (body.dataset.events) watch();

  // Forms: the answer is a whole page. While the live view stands, only this browser's own parts are taken
  // from it: the others may already be newer here.
  const submit = async (form, button) => {
    if (form.ariaBusy === 'true') return;
    form.ariaBusy = 'true';
    try {
      const post = form.method === 'post';
      const fields = new URLSearchParams(new FormData(form, button));
      const response = await fetch(form.action, {
        method: form.method, body: post ? fields : undefined, headers: { accept: 'text/html' },
      });
      const page = new DOMParser().parseFromString(await response.text(), 'text/html');
      draw(page.querySelectorAll(body.dataset.stream === 'live' ? '[data-part=own]' : '[data-part]'));
    } catch {
      say('The Market does not answer.');
    } finally {
      form.ariaBusy = null;
    }
  };
  document.addEventListener('submit', event => {
    if (!event.target.matches('form[data-live]')) return;
    event.preventDefault();
    submit(event.target, event.submitter);
  });

  // Auto-refresh: one page's calls every two seconds, never two pages at once.
  const auto = document.getElementById('auto');
  if (auto) {
    let timer = null;
    const turn = async () => {
      try { await fetch('/api/refresh', { method: 'POST' }); } catch { /* the lost live view says it */ }
      if (auto.ariaChecked === 'true') timer = setTimeout(turn, 2000);
    };
    auto.hidden = false;
    auto.addEventListener('click', () => {
      clearTimeout(timer);
      auto.ariaChecked = auto.ariaChecked === 'true' ? 'false' : 'true';
      if (auto.ariaChecked === 'true') turn();
    });
  }
})();
