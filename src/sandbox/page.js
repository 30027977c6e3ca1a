// Refreshes lists and bubbles in place every two seconds, so that a half-written reply and the scroll position stay.
(() => {
  const shown = {};
  const localTimes = () => document.querySelectorAll("time").forEach((one) => {
    one.textContent = new Date(one.dateTime).toLocaleTimeString("es", { hour: "2-digit", minute: "2-digit", hour12: false });
  });
  const toEnd = () => {
    const bubbles = document.getElementById("bubbles");
    if (bubbles) bubbles.scrollTop = bubbles.scrollHeight;
  };
  const refresh = async () => {
    const answer = await fetch(location.href).catch(() => null);
    if (!answer || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!document.getElementById("bubbles") && fresh.getElementById("bubbles")) return location.reload();
    for (const id of ["chats", "bubbles", "window"]) {
      const [here, there] = [document.getElementById(id), fresh.getElementById(id)];
      if (!here || !there || shown[id] === there.innerHTML) continue;
      shown[id] = there.innerHTML;
      const atEnd = here.scrollHeight - here.scrollTop - here.clientHeight < 80;
      here.replaceChildren(...there.childNodes);
      if (id === "bubbles" && atEnd) toEnd();
    }
    const [form, other] = [document.getElementById("reply"), fresh.getElementById("reply")];
    if (form && other && form.dataset.from !== other.dataset.from) location.reload();
    localTimes();
  };
  const say = async (content) => {
    const from = document.getElementById("reply").dataset.from;
    await fetch("/_sandbox/reply", { method: "POST", body: JSON.stringify({ from, ...content }) }).catch(() => null);
    await refresh();
    toEnd();
  };
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const input = event.target.elements.text;
    if (input.value.trim()) say({ text: input.value });
    input.value = "";
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-payload]");
    if (button) say({ button: { payload: button.dataset.payload, text: button.dataset.text } });
  });
  localTimes();
  toEnd();
  setInterval(refresh, 2000);
})();
