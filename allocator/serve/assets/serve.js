(function () {
  // A live run: ask how far it is, and load the page again once it has ended. Without this script the run's own page reloads itself.
  function show(place, run) {
    ["doing", "figures", "elapsed", "state"].forEach(function (name) {
      var part = place.querySelector("." + name);
      if (part && part.textContent !== run[name]) { part.textContent = run[name]; }
    });
  }
  function ask(place) {
    fetch("/progress?run=" + encodeURIComponent(place.getAttribute("data-run")), { credentials: "same-origin" })
      .then(function (answer) {
        if (!answer.ok) { throw new Error(answer.status); }
        return answer.json();
      })
      .then(function (run) {
        show(place, run);
        if (!run.live) { location.reload(); return; }
        setTimeout(function () { ask(place); }, 700);
      })
      .catch(function () {
        show(place, { doing: "the server does not answer; is it still running?", figures: "", elapsed: "", state: "unknown" });
        setTimeout(function () { ask(place); }, 5000);
      });
  }
  Array.prototype.forEach.call(document.querySelectorAll("[data-run]"), ask);
}());
