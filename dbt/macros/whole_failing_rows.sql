{#
  dbt's own tests select the value that is wrong; these select the row that it stands in, so that
  whoever reads the results sees whose it is. They cost nothing more: dbt only counts the rows.
#}
{% macro default__test_not_null(model, column_name) %}
select *
from {{ model }}
where {{ column_name }} is null
{% endmacro %}

{% macro default__test_relationships(model, column_name, to, field) %}
select child.*
from {{ model }} as child
where child.{{ column_name }} is not null
    and not exists (
        select 1 from {{ to }} as parent where parent.{{ field }} = child.{{ column_name }}
    )
{% endmacro %}
