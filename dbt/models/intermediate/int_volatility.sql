{#-
  Sums of returns (1e-15) and of their squares are exact integers: a floating-point window sum
  would carry over low bits from before the window.
-#}
{%- set spans = [21, 63] -%}

with returns as (

    select
        symbol,
        session_date,
        round(log_return_1d * 1e15, 0)::hugeint as return_femtos
    from {{ ref('int_returns') }}

),

sums as (

    select
        symbol,
        session_date,
        {%- for span in spans %}
        count(return_femtos) over last_{{ span }} as count_{{ span }},
        sum(return_femtos) over last_{{ span }} as sum_{{ span }},
        sum(return_femtos * return_femtos) over last_{{ span }} as squares_{{ span }}
        {{- "," if not loop.last }}
        {%- endfor %}
    from returns
    window
        {%- for span in spans %}
        last_{{ span }} as (
            partition by symbol order by session_date
            rows between {{ span - 1 }} preceding and current row
        ) {{- "," if not loop.last }}
        {%- endfor %}

),

volatility as (

    select
        symbol,
        session_date,
        {%- for span in spans %}
        case when count_{{ span }} = {{ span }} then
            sqrt(
                ({{ span }} * squares_{{ span }} - sum_{{ span }} * sum_{{ span }})::double
                / {{ span * (span - 1) }}e30 * 252
            )
        end as vol_{{ span }}d_annual {{- "," if not loop.last }}
        {%- endfor %}
    from sums

)

select * from volatility
order by symbol, session_date
