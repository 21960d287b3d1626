{#
  The columns of a table are those of its YAML, in that order and of those types: what a contract
  does for SQL models, and dbt refuses to do for Python ones.
#}
{% test has_types(model) %}
with documented (column_index, column_name, data_type) as (

    values
        {%- for node in graph.get('nodes', {}).values()
            if execute and node.resource_type == 'model' and node.name == model.identifier %}
        {%- for column in node.columns.values() %}
        ({{ loop.index }}, '{{ column.name }}', '{{ column.data_type | upper }}')
            {{- ',' if not loop.last }}
        {%- endfor %}
        {%- else %}
        (1, 'no model of this name', '')
        {%- endfor %}

),

found as (

    select column_index, column_name, data_type
    from duckdb_columns()
    where schema_name = '{{ model.schema }}' and table_name = '{{ model.identifier }}'

)

(from documented except from found)
union all
(from found except from documented)
{% endtest %}
