/* Answers a client's page whether the sign-in it knows of is still the one in this browser (OpenID Connect Session
   Management 1.0, 3.2).  Plain old syntax and an own SHA-256 (FIPS 180-4): it runs in any browser, and at once. */
(function () {
  "use strict";
  var cookie = document.getElementById("check-session").getAttribute("data-cookie") + "=";

  function primes(count) {
    var found = [];
    for (var n = 2; found.length < count; n += 1) {
      if (found.every(function (prime) { return n % prime !== 0; })) { found.push(n); }
    }
    return found;
  }

  function fraction(number) { /* its first 32 bits */
    return (number - Math.floor(number)) * 4294967296 | 0;
  }

  var ROUNDS = primes(64).map(function (prime) { return fraction(Math.pow(prime, 1 / 3)); });
  var START = primes(8).map(function (prime) { return fraction(Math.sqrt(prime)); });

  function turned(word, by) { return (word >>> by) | (word << (32 - by)); }

  function blocks(text) { /* as words of 32 bits, with the padding */
    var bytes = unescape(encodeURIComponent(text)), words = [];
    for (var i = 0; i < bytes.length; i += 1) { words[i >> 2] |= bytes.charCodeAt(i) << (24 - 8 * (i % 4)); }
    words[bytes.length >> 2] |= 0x80 << (24 - 8 * (bytes.length % 4));
    words[(((bytes.length + 8) >> 6) << 4) + 15] = bytes.length * 8;
    return words;
  }

  function mix(hash, words, from) {
    var w = [], s = hash.slice();
    for (var t = 0; t < 64; t += 1) {
      if (t < 16) {
        w[t] = words[from + t] | 0;
      } else {
        var x = w[t - 15], y = w[t - 2];
        w[t] = (w[t - 16] + (turned(x, 7) ^ turned(x, 18) ^ (x >>> 3))
          + w[t - 7] + (turned(y, 17) ^ turned(y, 19) ^ (y >>> 10))) | 0;
      }
      var one = (s[7] + (turned(s[4], 6) ^ turned(s[4], 11) ^ turned(s[4], 25))
        + ((s[4] & s[5]) ^ (~s[4] & s[6])) + ROUNDS[t] + w[t]) | 0;
      var two = ((turned(s[0], 2) ^ turned(s[0], 13) ^ turned(s[0], 22))
        + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]))) | 0;
      s = [(one + two) | 0, s[0], s[1], s[2], (s[3] + one) | 0, s[4], s[5], s[6]];
    }
    return hash.map(function (word, place) { return (word + s[place]) | 0; });
  }

  function sha256(text) {
    var words = blocks(text), hash = START;
    for (var from = 0; from < words.length; from += 16) { hash = mix(hash, words, from); }
    return hash.map(function (word) { return ("0000000" + (word >>> 0).toString(16)).slice(-8); }).join("");
  }

  function state() {
    var found = document.cookie.split("; ").filter(function (item) { return item.indexOf(cookie) === 0; });
    return found.length ? found[0].slice(cookie.length) : null;
  }

  function answer(asked, origin) {
    var words = typeof asked === "string" ? asked.split(" ") : [];
    var salt = words.length === 2 ? words[1].split(".")[1] : "";
    var now = state();
    /* no state: the browser keeps it from frames, and asking the server instead would go on for ever */
    if (!words[0] || !salt || now === null) { return "error"; }
    return sha256([words[0], origin, now, salt].join(" ")) + "." + salt === words[1] ? "unchanged" : "changed";
  }

  window.addEventListener("message", function (event) {
    if (event.source && event.source !== window) {
      event.source.postMessage(answer(event.data, event.origin), event.origin);
    }
  }, false);
}());
