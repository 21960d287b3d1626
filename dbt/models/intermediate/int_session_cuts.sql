{#-
  What the run of each session knew, by the rule of the lake (pipelines/lake/cut.py): a session's
  own ingest moves its cut, a later one does not, unless it first brought the session's bars.
-#}
with arrivals as (

    {%- for dataset in ['prices', 'actions', 'macro', 'instruments', 'universe'] %}
    select source, ingest_session, known_at::timestamptz as known_at
    from {{ source('lake', dataset) }}
    where
        known_at_basis = 'observed'
        {%- if dataset in ('prices', 'actions') %}
        and session_date <= ingest_session
        {%- endif %}
    {{ "union all" if not loop.last }}
    {%- endfor %}

),

newest_arrival as (

    select
        arrivals.ingest_session as session_date,
        max(arrivals.known_at) as known_at
    from arrivals
    inner join {{ ref('stg_cut') }} as cut
        on arrivals.source = cut.source
        and arrivals.known_at <= cut.known_at_cut
    group by arrivals.ingest_session

),

bars_by_ingest as (

    select
        prices.session_date,
        prices.ingest_session,
        min(prices.known_at::timestamptz) as first_known_at,
        max(prices.known_at::timestamptz) as last_known_at
    from {{ source('lake', 'prices') }} as prices
    inner join {{ ref('stg_cut') }} as cut
        on prices.source = cut.source
        and prices.known_at::timestamptz <= cut.known_at_cut
    group by prices.session_date, prices.ingest_session

),

first_bars as (

    select
        session_date,
        min(first_known_at) as first_known_at,
        arg_min(last_known_at, first_known_at) as last_known_at
    from bars_by_ingest
    group by session_date

),

own as (

    select
        sessions.session_date,
        greatest(sessions.available_at, newest_arrival.known_at) as known_at_cut
    from {{ ref('stg_sessions') }} as sessions
    left join newest_arrival on sessions.session_date = newest_arrival.session_date

)

select
    own.session_date,
    case
        when own.session_date = cut.session_date then cut.known_at_cut
        when first_bars.first_known_at > own.known_at_cut then first_bars.last_known_at
        else own.known_at_cut
    end as known_at_cut
from own
inner join {{ ref('stg_cut') }} as cut on own.session_date <= cut.session_date
left join first_bars on own.session_date = first_bars.session_date
order by own.session_date
