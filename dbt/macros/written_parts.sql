{#
  The parts of the panel that this build wrote, as a list of files. The others are files of the
  build that it went on from, whose tests they passed. A build that wrote none lists none.
#}
{% macro written_parts() -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- set listed = run_query("select name from read_json('panel.json') where written order by name") -%}
        {%- for row in listed -%} {%- do names.append("'panel/" ~ row[0] ~ "'") -%} {%- endfor -%}
    {%- endif -%}
    {{ return(names) }}
{%- endmacro %}
