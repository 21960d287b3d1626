// Airflow's own switch between light and dark, where the page stands in a tab of Airflow.
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
