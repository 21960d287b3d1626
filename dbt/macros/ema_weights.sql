{#
  Weights of an exponential mean over a fixed window, oldest first, summing to 1: proportional to
  (1 - 2 / (span + 1)) ^ age. Literals carry an exponent, else DuckDB would read decimals.
#}
{% macro ema_weights(span, window) -%}
    {%- set decay = 1 - 2 / (span + 1) -%}
    {%- set ages = range(window) -%}
    {%- set total = (1 - decay ** window) / (1 - decay) -%}
    [
    {%- for age in ages | reverse -%}
        {{ "%.17e" | format(decay ** age / total) }} {{- ", " if not loop.last }}
    {%- endfor -%}
    ]
{%- endmacro %}
