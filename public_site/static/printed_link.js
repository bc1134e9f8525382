// A printed link carries its code in the fragment, which no server sees. Take it out of the address, then post it.
const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, "", location.pathname);
  document.getElementById("code").value = code;
  document.getElementById("lookup").submit();
}
