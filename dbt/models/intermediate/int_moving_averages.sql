{#-
  Sums of closes are integers (1e-12 USD), because DuckDB's floating-point window sums carry over
  low bits from before the window. An EMA is a list product in fixed order over its own window.
-#}
{%- set simple_spans = [5, 10, 21, 50, 200] -%}
{%- set exponential_spans = [10, 21, 50] -%}

with prices as (

    select
        symbol,
        session_date,
        close,
        round(close * 1e12, 0)::hugeint as close_picos,
        row_number() over (partition by symbol order by session_date) as session_number
    from {{ ref('stg_prices') }}

),

averages as (

    select
        symbol,
        session_date,
        close,
        {%- for span in simple_spans %}
        case when session_number >= {{ span }} then
            (sum(close_picos) over last_{{ span }})::double / {{ span }}e12
        end as sma_{{ span }},
        {%- endfor %}
        {%- for span in exponential_spans %}
        {%- set window = 4 * span %}
        case when session_number >= {{ window }} then
            list_dot_product(list(close) over last_{{ window }}, {{ ema_weights(span, window) }})
        end as ema_{{ span }} {{- "," if not loop.last }}
        {%- endfor %}
    from prices
    window
        {%- for span in (simple_spans + [40, 84]) %}
        last_{{ span }} as (
            partition by symbol order by session_date
            rows between {{ span - 1 }} preceding and current row
        ) {{- "," if not loop.last }}
        {%- endfor %}

)

select * from averages
order by symbol, session_date
