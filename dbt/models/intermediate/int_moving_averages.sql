{#-
  Sums of closes are integers (1e-12 USD), because DuckDB's floating-point window sums carry over
  low bits from before the window. An EMA is a list product in fixed order over its own window.
  Where a share changed within the longest window, the closes before are put in the terms of the
  session's own share first, one by one, from what lies inside the window.
-#}
{%- set simple_spans = [5, 10, 21, 50, 200] -%}
{%- set exponential_spans = [10, 21, 50] -%}

with prices as (

    select
        symbol,
        session_date,
        session_number,
        close,
        round(close * 1e12, 0)::hugeint as close_picos,
        action_count,
        growth_femtos
    from {{ ref('int_adjustment') }}

),

windows as (

    select
        symbol,
        session_date,
        session_number,
        close,
        action_count = first_value(action_count) over last_200 as is_steady,
        growth_femtos,
        {%- for span in simple_spans %}
        sum(close_picos) over last_{{ span }} as sum_{{ span }},
        {%- endfor %}
        {%- for span in exponential_spans %}
        list(close) over last_{{ 4 * span }} as closes_{{ 4 * span }},
        {%- endfor %}
        list(growth_femtos) over last_200 as growths
    from prices
    window
        {%- for span in (simple_spans + [40, 84]) %}
        last_{{ span }} as (
            partition by symbol order by session_date
            rows between {{ span - 1 }} preceding and current row
        ) {{- "," if not loop.last }}
        {%- endfor %}

),

in_own_terms as (

    select
        * exclude (growths),
        case when not is_steady then
            list_transform(
                closes_200,
                lambda past_close, position:
                    past_close / {{ growth_between('growth_femtos', 'growths[position]') }}
            )
        end as adjusted
    from windows

),

averages as (

    select
        symbol,
        session_date,
        close,
        {%- for span in simple_spans %}
        case
            when session_number < {{ span }} then null
            when is_steady then sum_{{ span }}::double / {{ span }}e12
            else list_sum(list_transform(
                adjusted[-{{ span }}:], lambda past_close: round(past_close * 1e12, 0)::hugeint
            ))::double / {{ span }}e12
        end as sma_{{ span }},
        {%- endfor %}
        {%- for span in exponential_spans %}
        {%- set window = 4 * span %}
        case when session_number >= {{ window }} then
            list_dot_product(
                case when is_steady then closes_{{ window }} else adjusted[-{{ window }}:] end,
                {{ ema_weights(span, window) }}
            )
        end as ema_{{ span }} {{- "," if not loop.last }}
        {%- endfor %}
    from in_own_terms

)

select * from averages
order by symbol, session_date
