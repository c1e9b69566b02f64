// Before the first paint: the theme and the language that the reader has chosen.
(function () {
  var root = document.documentElement;
  try {
    var theme = localStorage.getItem('milkrun.theme');
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  } catch (e) { /* nothing is kept here */ }
})();
