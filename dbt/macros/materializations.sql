{#-
    Every build has a new file, so no table or view is there that another must be built beside,
    swapped for and dropped: dbt's own materializations ask for all of that, and takes
    a sixth of a day's nodes. Hooks, grants and indexes are not in use.
-#}

{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- call statement('main', language=model['language']) -%}
        {{ create_table_as(False, relation, compiled_code, model['language']) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='view') -%}
    {%- call statement('main') -%}
        {{ get_create_view_as_sql(relation, sql) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
