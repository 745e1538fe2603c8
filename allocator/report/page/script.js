"use strict";
(function () {
  function value(row, column) {
    var cell = row.cells[column];
    return cell.hasAttribute("data-k") ? cell.getAttribute("data-k") : cell.textContent;
  }
  var words = new Intl.Collator("en", { numeric: true });
  function compare(a, b, figures) {
    if (a === "" || b === "") { return a === b ? 0 : a === "" ? 1 : -1; }
    return figures ? Number(a) - Number(b) : words.compare(a, b);
  }
  function sort(table, column) {
    var heads = table.tHead.rows[0].cells, body = table.tBodies[0];
    var figures = heads[column].classList.contains("num");
    var down = heads[column].getAttribute("aria-sort") === "ascending" ? -1 : 1;
    var rows = Array.prototype.slice.call(body.rows);
    rows = rows.map(function (row, place) { return { row: row, key: value(row, column), place: place }; });
    rows.sort(function (a, b) {
      if (a.key === "" || b.key === "") { return compare(a.key, b.key, figures) || a.place - b.place; }
      return down * compare(a.key, b.key, figures) || a.place - b.place;
    });
    rows.forEach(function (entry) { body.appendChild(entry.row); });
    for (var i = 0; i < heads.length; i += 1) { heads[i].removeAttribute("aria-sort"); }
    heads[column].setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
  }
  function sortable(table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", function () { sort(table, column); });
      head.textContent = "";
      head.appendChild(button);
    });
  }
  function filter(table, words, count) {
    var wanted = words.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
    Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
      var text = row.textContent.toLowerCase();
      var keep = wanted.every(function (word) { return text.indexOf(word) >= 0; });
      row.hidden = !keep;
      shown += keep ? 1 : 0;
    });
    count.textContent = wanted.length ? shown + " of " + table.tBodies[0].rows.length + " rows" : "";
  }
  function quoted(text) {
    var safe = /^[=+\-@\t\r]/.test(text) && isNaN(Number(text)) ? "'" + text : text;
    return '"' + safe.replace(/"/g, '""') + '"';
  }
  function download(table, name) {
    var lines = [];
    Array.prototype.forEach.call(table.rows, function (row) {
      if (row.hidden) { return; }
      var cells = Array.prototype.map.call(row.cells, function (cell) {
        return quoted(cell.hasAttribute("data-k") ? cell.getAttribute("data-k") : cell.textContent);
      });
      lines.push(cells.join(","));
    });
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = name + ".csv";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
  }
  function tools(table) {
    var name = table.getAttribute("data-name");
    var place = document.querySelector('.tools[data-for="' + name + '"]');
    if (!place) { return; }
    if (table.tBodies[0].rows.length > 7) {
      var field = document.createElement("input"), count = document.createElement("output");
      field.type = "search";
      field.placeholder = "Filter rows";
      field.setAttribute("aria-label", "Filter the rows of " + name);
      field.addEventListener("input", function () { filter(table, field.value, count); });
      place.appendChild(field);
      place.appendChild(count);
    }
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = "Download CSV";
    button.setAttribute("aria-label", "Download " + name + " as CSV");
    button.addEventListener("click", function () { download(table, name); });
    place.appendChild(button);
  }
  function stories(place) {
    var found = document.querySelectorAll(".story");
    if (!place || found.length < 8) { return; }
    var field = document.createElement("input"), count = document.createElement("output");
    field.type = "search";
    field.placeholder = "Filter places";
    field.setAttribute("aria-label", "Filter the places by item, description or site");
    field.addEventListener("input", function () {
      var wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean), shown = 0;
      Array.prototype.forEach.call(found, function (story) {
        var text = story.textContent.toLowerCase();
        story.hidden = !wanted.every(function (word) { return text.indexOf(word) >= 0; });
        shown += story.hidden ? 0 : 1;
      });
      count.textContent = wanted.length ? shown + " of " + found.length + " places" : "";
    });
    place.appendChild(field);
    place.appendChild(count);
  }
  function open() {
    var story = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (story && story.tagName === "DETAILS") {
      story.hidden = false;
      story.open = true;
      story.scrollIntoView();
      story.querySelector("summary").focus();
    }
  }
  var tip = document.createElement("div"), here = null;
  tip.id = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  document.body.appendChild(tip);
  function hide() {
    tip.hidden = true;
    if (here) { here.classList.remove("here"); }
    here = null;
  }
  function show(mark, x, y) {
    hide();
    tip.textContent = mark.getAttribute("data-tip");
    tip.hidden = false;
    var room = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(x + 14, innerWidth - room.width - 8)) + "px";
    tip.style.top = Math.max(4, y + 18 + room.height > innerHeight ? y - room.height - 10 : y + 18) + "px";
  }
  function walk(marks, step) {
    var next = marks[(Math.max(marks.indexOf(here), step > 0 ? -1 : 0) + step + marks.length) % marks.length];
    var box = next.getBoundingClientRect();
    show(next, box.left + box.width / 2, box.top + box.height / 2);
    next.classList.add("here");
    here = next;
  }
  Array.prototype.forEach.call(document.querySelectorAll("svg title"), function (title) {
    var mark = title.parentNode;
    mark.setAttribute("data-tip", title.textContent);
    mark.removeChild(title);
    mark.addEventListener("pointermove", function (event) {
      if (event.movementX || event.movementY) { show(mark, event.clientX, event.clientY); }
    });
    mark.addEventListener("pointerleave", function () { if (!here) { hide(); } });
  });
  Array.prototype.forEach.call(document.querySelectorAll("svg.chart"), function (chart) {
    var marks = Array.prototype.slice.call(chart.querySelectorAll("[data-tip]"));
    if (!marks.length) { return; }
    chart.setAttribute("tabindex", "0");
    chart.setAttribute("aria-label", chart.getAttribute("aria-label") + "; arrow keys read its figures");
    chart.addEventListener("keydown", function (event) {
      var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) { walk(marks, step); event.preventDefault(); }
      if (event.key === "Escape") { hide(); }
    });
    chart.addEventListener("blur", hide);
  });
  addEventListener("scroll", function () { if (!here) { hide(); } }, { passive: true });
  Array.prototype.forEach.call(document.querySelectorAll(".sheet table.rows"), function (table) {
    sortable(table);
    tools(table);
  });
  stories(document.querySelector("[data-stories]"));
  addEventListener("hashchange", open);
  open();
}());
