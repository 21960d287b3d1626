{%- set levels = {
    'FEDFUNDS': 'fed_funds_percent',
    'DGS2': 'treasury_2y_percent',
    'DGS10': 'treasury_10y_percent',
    'UNRATE': 'unemployment_percent',
    'VIXCLS': 'vix',
} -%}
{%- set changes = {
    'FEDFUNDS': ['3m', '12m'],
    'DGS2': ['21d'],
    'DGS10': ['21d'],
    'UNRATE': ['3m', '12m'],
    'VIXCLS': ['21d'],
} -%}
{%- set growths = {
    'CPIAUCSL': {'12m': 'inflation_12m'},
    'PAYEMS': {'3m': 'payrolls_growth_3m'},
    'INDPRO': {'12m': 'industrial_production_growth_12m'},
    'RSAFS': {'12m': 'retail_sales_growth_12m'},
} -%}
{%- set ages = {
    'FEDFUNDS': 'fed_funds',
    'DGS2': 'treasury_2y',
    'DGS10': 'treasury_10y',
    'UNRATE': 'unemployment',
    'VIXCLS': 'vix',
    'CPIAUCSL': 'inflation',
    'PAYEMS': 'payrolls',
    'INDPRO': 'industrial_production',
    'RSAFS': 'retail_sales',
} -%}

with sessions as (

    select
        *,
        lag(session_date) over (order by session_date) as previous_session_date,
        date_trunc('month', session_date)::date as month_start
    from {{ ref('stg_sessions') }}

),

numbered as (

    select
        *,
        row_number() over (partition by month_start order by session_date) as session_of_month,
        month_start + ((12 - isodow(month_start)) % 7)::int + 14 as third_friday
    from sessions

),

calendar as (

    select
        session_date,
        previous_session_date,
        isodow(session_date) as weekday,
        month(session_date) as month,
        session_of_month,
        sessions_to_month_end,
        sessions_to_quarter_end,
        session_date - previous_session_date as days_since_last_session,
        next_session_date - session_date as days_to_next_session,
        is_half_day,
        session_of_month <= 3 or sessions_to_month_end = 0 as is_turn_of_month,
        session_date <= third_friday and next_session_date > third_friday as is_option_expiry
    from numbered

),

macro as (

    select
        session_date,
        {%- for series, name in levels.items() %}
        max(value) filter (where series_id = '{{ series }}') as {{ name }},
        {%- endfor %}
        {%- for series, spans in changes.items() %}
        {%- for span in spans %}
        max(change_{{ span }}) filter (where series_id = '{{ series }}')
            as {{ ages[series] }}_change_{{ span }},
        {%- endfor %}
        {%- endfor %}
        {%- for series, spans in growths.items() %}
        {%- for span, name in spans.items() %}
        max(growth_{{ span }}) filter (where series_id = '{{ series }}') as {{ name }},
        {%- endfor %}
        {%- endfor %}
        {%- for series, name in ages.items() %}
        max(observation_age_days) filter (where series_id = '{{ series }}') as {{ name }}_age_days
            {{- "," if not loop.last }}
        {%- endfor %}
    from {{ ref('macro') }}
    group by session_date

),

joined as (

    select
        calendar.* exclude (previous_session_date),
        macro.* exclude (session_date),
        macro.treasury_10y_percent - macro.treasury_2y_percent as term_spread_percent,
        macro.treasury_10y_change_21d - macro.treasury_2y_change_21d as term_spread_change_21d,
        calendar.days_since_last_session * before.fed_funds_percent / 36000.0::double
            as risk_free_return_1d
    from calendar
    left join macro on calendar.session_date = macro.session_date
    left join macro as before on calendar.previous_session_date = before.session_date

)

select * from joined
order by session_date
