{#- What the run of each session knew: a session's own ingest moves its cut, a later one does not. -#}
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

)

select
    sessions.session_date,
    case when sessions.session_date = cut.session_date then cut.known_at_cut
        else greatest(sessions.available_at, newest_arrival.known_at)
    end as known_at_cut
from {{ ref('stg_sessions') }} as sessions
inner join {{ ref('stg_cut') }} as cut on sessions.session_date <= cut.session_date
left join newest_arrival on sessions.session_date = newest_arrival.session_date
order by sessions.session_date
