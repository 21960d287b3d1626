with source as (

    select * from {{ source('lake', 'macro') }}

),

renamed as (

    select
        source,
        series_id,
        observation_date,
        value,
        known_at::timestamptz as known_at,
        known_at_basis
    from source

),

known as (

    select renamed.*
    from renamed
    inner join {{ ref('stg_cut') }} as cut
        on renamed.source = cut.source
        and renamed.known_at <= cut.known_at_cut
    anti join {{ source('lake', 'quarantined_macro') }} as rejected
        on renamed.source = rejected.source
        and renamed.series_id = rejected.series_id
        and renamed.observation_date = rejected.observation_date
        and renamed.known_at = rejected.known_at::timestamptz

)

select * from known
order by series_id, observation_date, known_at
