// The invitation stands behind # in its link, so that no log has it; without a script one pastes it.
var field = document.getElementById("invitation");
if (field && location.hash.length > 1) {
  field.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname + location.search);
}
