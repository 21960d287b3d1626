{#
  Each column of `bounds` lies in its range: `at_least` and `at_most` include the bound, `above`
  does not. Nulls pass; NaN and infinities do not. Selects whole rows, so that one sees whose they are.
#}
{% test in_range(model, bounds) %}
{%- for column, range in bounds.items() %}
select '{{ column }}' as column_name, {{ column }}::double as value, *
from {{ model }}
where not isfinite({{ column }}::double)
    {%- if 'at_least' in range %} or {{ column }} < {{ range.at_least }} {%- endif %}
    {%- if 'above' in range %} or {{ column }} <= {{ range.above }} {%- endif %}
    {%- if 'at_most' in range %} or {{ column }} > {{ range.at_most }} {%- endif %}
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
