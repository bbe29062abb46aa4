/**
 * The stream of changes, one for all tabs of a browser: a browser opens six connections to an
 * address, and a tab each would leave none for the next tab or a payer's page. The visible tab that
 * holds the lock listens and passes on what it hears. A hidden tab neither listens nor waits.
 */

const NAME = "dgspay-console-stream";
const AGAIN_MILLISECONDS = 2000;

/**
 * Report changes for as long as this tab is visible.
 * @param {() => void} changed
 * @param {(isLive: boolean) => void} say
 */
export function listen(changed, say) {
  const channel = new BroadcastChannel(NAME);
  let turn = null;
  // What the tab that listens has last heard: it is told to tabs that come later.
  let heard = null;

  const hear = (isLive) => {
    say(isLive);
    if (isLive) changed();
  };
  channel.addEventListener("message", ({ data }) => {
    if (data === "hello") {
      if (heard !== null) channel.postMessage(heard);
    } else if (!document.hidden) hear(data);
  });

  function lead(signal) {
    const tell = (isLive) => {
      heard = isLive;
      channel.postMessage(isLive);
      hear(isLive);
    };
    return new Promise((resolve) => {
      let events;
      const open = () => {
        if (signal.aborted) return;
        events = new EventSource("/_emulator/events");
        events.addEventListener("changed", () => tell(true));
        events.addEventListener("error", () => {
          tell(false);
          // It tries again by itself unless it was answered with anything but a stream, as by a proxy.
          if (events.readyState === EventSource.CLOSED) setTimeout(open, AGAIN_MILLISECONDS);
        });
      };
      open();
      signal.addEventListener("abort", () => {
        events.close();
        heard = null;
        resolve();
      });
    });
  }

  function begin() {
    turn = new AbortController();
    const { signal } = turn;
    channel.postMessage("hello");
    // A page that is neither local nor secure has no locks: then each visible tab listens itself.
    const ended = navigator.locks
      ? navigator.locks.request(NAME, { signal }, () => lead(signal)) : lead(signal);
    ended.catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  function follow() {
    turn?.abort();
    turn = null;
    if (!document.hidden) begin();
  }

  document.addEventListener("visibilitychange", follow);
  follow();
}
