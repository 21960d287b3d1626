// Airflow's own switch between light and dark, where the page stands in a frame of Airflow.
try {
  const shown = parent.document.documentElement;
  const follow = () => {
    document.documentElement.dataset.theme = shown.classList.contains("dark") ? "dark" : "light";
  };
  if (parent !== window) {
    follow();
    new MutationObserver(follow).observe(shown, { attributeFilter: ["class"] });
  }
} catch {
  // The page stands in somebody else's frame or in none: the system's choice counts.
}
// Airflow's frame neither opens windows nor lets a page leave it, so Airflow's page does it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-leaves]");
  if (!link || parent === window) return;
  const outside = parent.document.createElement("a");
  outside.href = link.href;
  outside.target = link.dataset.leaves;
  outside.rel = "noopener";
  event.preventDefault();
  parent.document.body.append(outside);
  outside.click();
  outside.remove();
});
