{#
  Numbers are finite where they are not null, and each column of `bounds` lies in its range:
  `at_least` and `at_most` include the bound, `above` does not. Columns of `words` hold one of
  those, and these and the columns of `never_null` have a value.
#}
{% test parts_in_range(model, bounds, words, never_null) %}
select filename, symbol, session_date
from {{ written_parts() }}
where
    {%- for column in never_null %}
    {{ "or " if not loop.first }}{{ column }} is null
    {%- endfor %}
    {%- for column, allowed in words.items() %}
    or {{ column }} is null or {{ column }} not in ('{{ allowed | join("', '") }}')
    {%- endfor %}
    {%- for column in adapter.get_columns_in_relation(model) if column.dtype in ('FLOAT', 'DOUBLE') %}
    or not isfinite({{ column.name }})
    {%- endfor %}
    {%- for column, range in bounds.items() %}
    {%- if 'at_least' in range %} or {{ column }} < {{ range.at_least }} {%- endif %}
    {%- if 'above' in range %} or {{ column }} <= {{ range.above }} {%- endif %}
    {%- if 'at_most' in range %} or {{ column }} > {{ range.at_most }} {%- endif %}
    {%- endfor %}
{% endtest %}
