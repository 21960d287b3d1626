{#-
  Two looks at the vintages, both as the session's run knew them: the newest observation that is
  not stale, and the ones that lie some time before it. A version without a value ends what was
  said before of its period, and so an older period is the newest then.
-#}
{%- set unknown_series_stale_after_days = 400 -%}
{%- set longest_gap_days = 5 -%}

with versions as (

    select
        *,
        lead(known_at, 1, 'infinity') over (
            partition by series_id, observation_date order by known_at
        ) as superseded_at
    from {{ ref('stg_macro') }}

),

sessions as (

    select
        session_date,
        known_at_cut,
        lag(session_date, 21) over (order by session_date) as date_21_sessions_ago
    from {{ ref('stg_sessions') }}

),

observations as (

    select distinct
        versions.series_id,
        versions.observation_date,
        coalesce(series.is_daily, false) as is_daily,
        versions.observation_date
            + coalesce(series.stale_after_days, {{ unknown_series_stale_after_days }})::int
            as last_fresh_date
    from versions
    left join {{ ref('stg_series') }} as series using (series_id)

),

days as (

    select
        series_id,
        is_daily,
        observation_date,
        unnest(range(observation_date, last_fresh_date + 1, interval 1 day))::date as date
    from observations

),

recent as (

    select
        days.series_id,
        days.is_daily,
        days.observation_date,
        sessions.session_date,
        sessions.known_at_cut
    from days
    inner join sessions on days.date = sessions.session_date

),

known as (

    select
        recent.*,
        versions.value,
        versions.known_at,
        versions.known_at_basis
    from recent
    inner join versions
        on recent.series_id = versions.series_id
        and recent.observation_date = versions.observation_date
        and recent.known_at_cut >= versions.known_at
        and recent.known_at_cut < versions.superseded_at
    where versions.value is not null

),

newest as (

    select
        *,
        lead(value) over observed as value_before
    from known
    window observed as (
        partition by series_id, session_date order by observation_date desc
    )
    qualify row_number() over observed = 1

),

spans as (

    select
        newest.series_id,
        newest.session_date,
        newest.known_at_cut,
        newest.is_daily,
        unnest([
            {'span': '3m', 'until': newest.observation_date - interval 3 month},
            {'span': '12m', 'until': newest.observation_date - interval 12 month},
            {'span': '21d', 'until': observed_on.date_21_sessions_ago}
        ], recursive := true)
    from newest
    asof join sessions as observed_on on newest.observation_date >= observed_on.session_date

),

candidates as (

    select
        series_id,
        session_date,
        known_at_cut,
        span,
        unnest(range(
            until::date - {{ longest_gap_days }} * is_daily::int, until::date + 1, interval 1 day
        ))::date as observation_date
    from spans
    where span <> '21d' or is_daily

),

bases as (

    select
        candidates.series_id,
        candidates.session_date,
        {%- for span in ['21d', '3m', '12m'] %}
        arg_max(versions.value, candidates.observation_date) filter (where span = '{{ span }}')
            as value_{{ span }}_ago {{- "," if not loop.last }}
        {%- endfor %}
    from candidates
    inner join versions
        on candidates.series_id = versions.series_id
        and candidates.observation_date = versions.observation_date
        and candidates.known_at_cut >= versions.known_at
        and candidates.known_at_cut < versions.superseded_at
    where versions.value is not null
    group by candidates.series_id, candidates.session_date

),

changes as (

    select
        newest.series_id,
        newest.session_date,
        newest.observation_date,
        newest.value,
        newest.session_date - newest.observation_date as observation_age_days,
        newest.value - newest.value_before as change,
        {%- for span in ['21d', '3m', '12m'] %}
        newest.value - bases.value_{{ span }}_ago as change_{{ span }},
        {%- endfor %}
        {%- for span in ['3m', '12m'] %}
        case when bases.value_{{ span }}_ago > 0
            then newest.value / bases.value_{{ span }}_ago - 1
        end as growth_{{ span }},
        {%- endfor %}
        newest.known_at,
        newest.known_at_basis
    from newest
    left join bases using (series_id, session_date)

)

select * from changes
order by series_id, session_date
