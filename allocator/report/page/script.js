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
  Array.prototype.forEach.call(document.querySelectorAll(".sheet table.rows"), function (table) {
    sortable(table);
    tools(table);
  });
}());
